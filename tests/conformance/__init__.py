"""The behaviour of Amazon SWF, one behaviour a test, seen only through the methods of boto3's client.

Every test runs against each back end of `backends.py`: `LocalSWF` in process, an unmodified boto3 client over HTTP,
and moto as far as moto goes (`moto_differences.py` lists where it does not and why).  Virtual clocks everywhere:
nothing sleeps.
"""
