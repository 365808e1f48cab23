"""The smallest Django project with sessions of the server: the address of both comes from the environment."""
import os

from supertokens_python import InputAppInfo, SupertokensConfig, init
from supertokens_python.recipe import session

SECRET_KEY = "only for this test"
DEBUG = False
ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
ROOT_URLCONF = "urls"
INSTALLED_APPS = ["rest_framework"]
MIDDLEWARE = [
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "supertokens_python.framework.django.django_middleware.middleware",
]
DATABASES = {}
USE_TZ = True
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "UNAUTHENTICATED_USER": None,
}

init(
    app_info=InputAppInfo(
        app_name="test",
        api_domain=os.environ["APP_ORIGIN"],
        website_domain=os.environ["APP_ORIGIN"],
    ),
    supertokens_config=SupertokensConfig(
        connection_uri=os.environ["CORE_URL"], api_key=os.environ["CORE_API_KEY"]
    ),
    framework="django",
    mode="wsgi",
    telemetry=False,
    recipe_list=[session.init(anti_csrf="VIA_TOKEN")],
)
