"""The dashboard: executions of any SWF in a browser. Needs the extra ``ui``; only the command line imports it."""
