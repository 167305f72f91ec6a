from typing import Any

from django.contrib import admin, messages
from django.db.models import ForeignKey, QuerySet
from django.forms import ModelChoiceField, ModelForm
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Membership, User
from calls.ingest import quarantine
from calls.ingest.nudging import carry_out_soon
from calls.ingest.selection import Selection
from calls.models import (
    Decision,
    Extension,
    ExtensionHolding,
    InboxRecord,
    Number,
    Pbx,
    TenantCode,
)

Action = Decision.Action
# What the reading of a record depends on.
READ_BY = frozenset({"time_zone", "trunks", "extension_pattern"})


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

    def has_delete_permission(self, request: HttpRequest, obj: Pbx | None = None) -> bool:
        # Its calls need it for their details, and have no foreign key that would say so.
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Pbx | None = None) -> tuple[str, ...]:
        # The legs of the calls so far could not be read as those of another kind of PBX.
        return ("source",) if obj is not None and obj.record_ids else ()

    def save_model(
        self, request: HttpRequest, obj: Pbx, form: "ModelForm[Pbx]", change: bool
    ) -> None:
        secret = "" if obj.secret_digest else obj.renew_secret()
        super().save_model(request, obj, form, change)
        if secret:
            self.show(request, obj, secret)
        if change and READ_BY.intersection(form.changed_data):
            # What was refused under the old settings may be read under the new ones.
            user = request.user if isinstance(request.user, User) else None
            note, selection = _("The PBX entry was changed."), Selection(pbx=obj.name)
            quarantine.decide(Action.RETRY, selection, by=user, note=note, now=timezone.now())
            carry_out_soon()

    @admin.action(
        description=gettext_lazy("Make a new secret (the old one stops working)"),
        permissions=["change"],
    )
    def renew_secret(self, request: HttpRequest, queryset: QuerySet[Pbx]) -> None:
        for pbx in queryset:
            secret = pbx.renew_secret()
            pbx.save(update_fields=["secret_digest"])
            self.show(request, pbx, secret)

    def show(self, request: HttpRequest, pbx: Pbx, secret: str) -> None:
        path = reverse("receive-record-with-secret", args=[pbx.name, secret])
        address = request.build_absolute_uri(path)
        text = _("Shown only now: %(pbx)s sends to %(address)s")
        messages.warning(request, text % {"pbx": pbx.name, "address": address})


class HoldingInline(admin.TabularInline[ExtensionHolding, Extension]):
    model = ExtensionHolding
    extra = 0

    def formfield_for_foreignkey(
        self, db_field: "ForeignKey[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField[Any] | None:
        if db_field.name == "membership":
            # Each choice names its person and account.
            members = Membership.objects.select_related("account", "user")
            kwargs["queryset"] = members.order_by("account__name", "user__email")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


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
    """What came in, to be read and never changed. What is done about refused records, is done in the quarantine."""

    list_display = ("received_at", "pbx", "state", "reason", "message")
    list_filter = ("state", "reason", "pbx")
    fields = ("pbx", "received_at", "state", "reason", "message", "leg_key", "layout", "text")
    readonly_fields = ("text",)
    show_full_result_count = False

    @admin.display(description=gettext_lazy("Record"))
    def text(self, record: InboxRecord) -> str:
        return bytes(record.body).decode("utf-8", errors="replace")

    def get_queryset(self, request: HttpRequest) -> QuerySet[InboxRecord]:
        # A list of a hundred records needs none of their bodies, which may have 1 MB each.
        return super().get_queryset(request).defer("body", "layout")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: InboxRecord | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: InboxRecord | None = None) -> bool:
        return False
