SECRET_KEY = "only for the test"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "site_of_shop.urls"
WSGI_APPLICATION = "site_of_shop.wsgi.application"
