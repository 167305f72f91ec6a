from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from calls.models import Extension, ExtensionHolding, InboxRecord, Number, Pbx, TenantCode


class TenantCodeInline(admin.TabularInline[TenantCode, Pbx]):
    model = TenantCode
    extra = 1
    autocomplete_fields = ("account",)


@admin.register(Pbx)
class PbxAdmin(admin.ModelAdmin[Pbx]):
    list_display = ("name", "source", "time_zone", "trunks", "is_active")
    inlines = (TenantCodeInline,)
    autocomplete_fields = ("account",)
    actions = ("renew_secret",)

    def save_model(
        self, request: HttpRequest, obj: Pbx, form: "ModelForm[Pbx]", change: bool
    ) -> None:
        secret = "" if obj.secret_digest else obj.renew_secret()
        super().save_model(request, obj, form, change)
        if secret:
            self.show(request, obj, secret)

    @admin.action(description=gettext_lazy("Make a new secret (the old one stops working)"))
    def renew_secret(self, request: HttpRequest, queryset: QuerySet[Pbx]) -> None:
        for pbx in queryset:
            secret = pbx.renew_secret()
            pbx.save(update_fields=["secret_digest"])
            self.show(request, pbx, secret)

    def show(self, request: HttpRequest, pbx: Pbx, secret: str) -> None:
        address = request.build_absolute_uri(f"/in/{pbx.name}/{secret}/")
        text = _("Shown only now: %(pbx)s sends to %(address)s")
        messages.warning(request, text % {"pbx": pbx.name, "address": address})


class HoldingInline(admin.TabularInline[ExtensionHolding, Extension]):
    model = ExtensionHolding
    extra = 0


@admin.register(Extension)
class ExtensionAdmin(admin.ModelAdmin[Extension]):
    list_display = ("number", "name", "account")
    list_filter = ("account",)
    search_fields = ("number", "name")
    autocomplete_fields = ("account",)
    inlines = (HoldingInline,)


@admin.register(Number)
class NumberAdmin(admin.ModelAdmin[Number]):
    list_display = ("number", "account", "name", "since", "until")
    list_filter = ("account",)
    search_fields = ("number", "name")
    autocomplete_fields = ("account",)


@admin.register(InboxRecord)
class InboxRecordAdmin(admin.ModelAdmin[InboxRecord]):
    """What came in, and above all what could not be taken over: to be read and tried again, never changed."""

    list_display = ("received_at", "pbx", "state", "reason", "message")
    list_filter = ("state", "reason", "pbx")
    fields = ("pbx", "received_at", "state", "reason", "message", "leg_key", "layout", "text")
    readonly_fields = fields
    actions = ("retry",)
    show_full_result_count = False

    @admin.display(description=gettext_lazy("Record"))
    def text(self, record: InboxRecord) -> str:
        return bytes(record.body).decode("utf-8", errors="replace")

    @admin.action(description=gettext_lazy("Try again"), permissions=["view"])
    def retry(self, request: HttpRequest, queryset: QuerySet[InboxRecord]) -> None:
        refused = [InboxRecord.State.QUARANTINED, InboxRecord.State.UNASSIGNED]
        count = queryset.filter(state__in=refused).update(state=InboxRecord.State.PENDING)
        self.message_user(request, _("%(count)d records are tried again.") % {"count": count})

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: InboxRecord | None = None) -> bool:
        return False
