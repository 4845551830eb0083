"""The settings that matter here; ``ORDERS_SERVICE`` is a file or an address, without it Amazon SWF."""

import os

SECRET_KEY = 'only for this recipe'  # noqa: S105
INSTALLED_APPS = ['django_shop']
ROOT_URLCONF = 'django_shop.urls'
DATABASES = {
    'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': os.environ.get('DJANGO_DB', 'db.sqlite3')},
}
DEFAULT_AUTO_FIELD = 'django.db.models.BigAutoField'
USE_TZ = True

GENFLOW_DOMAIN = 'shop'
GENFLOW_SERVICE = os.environ.get('ORDERS_SERVICE')
