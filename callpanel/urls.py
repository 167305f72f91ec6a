from django.contrib import admin
from django.urls import include, path

from callpanel.health import healthz

urlpatterns = [
    path("", include("accounts.urls")),
    path("", include("calls.urls")),
    path("", include("billing.urls")),
    path("admin/", admin.site.urls),
    path("healthz", healthz),
    path("language/", include("django.conf.urls.i18n")),
]
