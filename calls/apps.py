from django.apps import AppConfig


class CallsConfig(AppConfig):
    name = "calls"

    def ready(self) -> None:
        from calls import receivers  # noqa: F401, PLC0415 - receivers need the loaded models
