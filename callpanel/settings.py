"""All settings, from the environment alone; docs/operations.md lists the variables."""

from pathlib import Path
from typing import Any

import django_stubs_ext
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from callpanel import env

# Lets admin and form classes name their model: ModelAdmin[Account].
django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent

DEBUG = env.boolean("DEBUG", default=False)
SECRET_KEY = env.text("SECRET_KEY", "not-a-secret-only-for-debugging" if DEBUG else None)
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")

INSTALLED_APPS = [
    "accounts",
    "calls",
    "billing",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django_filters",
    "django_htmx",
    "django_tables2",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "callpanel.urls"
WSGI_APPLICATION = "callpanel.wsgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# A new connection for every record would cost more than the record: the password alone takes milliseconds.
DATABASES = {
    "default": {
        **env.database("DATABASE_URL"),
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

LANGUAGE_CODE = "pl"
LANGUAGES = [("pl", _("Polish")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "Europe/Warsaw"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = env.text("STATIC_ROOT", str(BASE_DIR / "staticfiles"))
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# HTTPS belongs to the proxy in front; behind one, SECURE_PROXY says that its header can be believed.
SECURE_PROXY = env.boolean("SECURE_PROXY", default=False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = SECURE_PROXY
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if SECURE_PROXY else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE_PROXY
if SECURE_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_AGE = 14 * 24 * 3600
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    }
}

MAIL = env.mail("EMAIL_URL", "console://")
EMAIL_BACKEND = MAIL.backend
EMAIL_HOST, EMAIL_PORT = MAIL.host, MAIL.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = MAIL.user, MAIL.password
EMAIL_USE_TLS, EMAIL_USE_SSL = MAIL.tls, MAIL.ssl
# A mail server that does not answer must not hold a worker.
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.text("DEFAULT_FROM_EMAIL", "callpanel@localhost")
OPERATOR_EMAILS = env.words("OPERATOR_EMAILS")
# Where the panel is reached from outside, for links in mails.
PUBLIC_URL = env.text("PUBLIC_URL", "http://localhost:8000").rstrip("/")

# What Prometheus shows to be let in; without it there is no such page.
METRICS_TOKEN = env.text("METRICS_TOKEN", "")

REDIS_URL = env.text("REDIS_URL")
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# kombu looks for lost messages only every 100 s by default; all our tasks are short and idempotent.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 900,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_connect_timeout": 2,
    "socket_timeout": 5,
}
CELERY_TIMEZONE = "UTC"
# The truth is in the database: each of these finds its own work, so a lost message costs seconds.
CELERY_BEAT_SCHEDULE = {
    "fold the inbox": {"task": "calls.tasks.fold_inbox", "schedule": 5.0},
    "take the database feed over": {"task": "calls.tasks.take_feed", "schedule": 2.0},
    "settle provisional calls": {"task": "calls.tasks.settle", "schedule": 30.0},
    "bring in calls that found an owner": {
        "task": "calls.tasks.bring_in_assigned",
        "schedule": 60.0,
    },
    "carry out decisions on refused records": {
        "task": "calls.tasks.carry_out_decisions",
        "schedule": 30.0,
    },
    "count what came in": {"task": "calls.tasks.count_receipts", "schedule": 60.0},
    "notice silent PBXes": {"task": "calls.tasks.check_silences", "schedule": 60.0},
    "look at what PBXes do not tell": {
        "task": "calls.tasks.examine_sources",
        "schedule": 600.0,
    },
    "charge what is unpriced": {"task": "billing.tasks.charge_pending", "schedule": 10.0},
    "read and apply price lists": {"task": "billing.tasks.work_price_imports", "schedule": 10.0},
    "watch costs and budgets": {"task": "billing.tasks.watch_costs", "schedule": 60.0},
    "send mails about costs": {"task": "billing.tasks.send_cost_mails", "schedule": 30.0},
    # A saved price does it at once; this finds what was priced by the old list in the same moment.
    "try unrated calls again": {"task": "billing.tasks.retry_unrated", "schedule": 3600.0},
    "rate again what somebody ordered": {"task": "billing.tasks.rerate", "schedule": 10.0},
    # Each account's night comes at its own hour; when nothing is due, this is a few questions.
    "make partitions ahead, purge what is too old": {
        "task": "calls.tasks.purge",
        "schedule": 300.0,
    },
    "erase numbers": {"task": "calls.tasks.erase_numbers", "schedule": 60.0},
}

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    # Its warnings name the address of every refused request, and a PBX's address holds its secret.
    "loggers": {"django.request": {"level": "ERROR"}},
}
