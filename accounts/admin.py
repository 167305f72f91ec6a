from typing import cast

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, AuditEntry, Membership, User


class MembershipInline(admin.TabularInline[Membership, Account]):
    model = Membership
    extra = 0
    autocomplete_fields = ("user",)


@admin.register(Account)
class AccountAdmin(admin.ModelAdmin[Account]):
    list_display = ("name", "slug", "time_zone", "retention_days", "is_active")
    list_filter = ("is_active",)
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}  # noqa: RUF012 - Django's own declaration style
    inlines = (MembershipInline,)
    # Its owner decides who sees which digits, on a page of its own.
    exclude = ("masked_roles",)

    def save_model(
        self, request: HttpRequest, obj: Account, form: "ModelForm[Account]", change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        if {"retention_days", "keeps_longer"} & set(form.changed_data):
            longer = ", longer than promised" if obj.keeps_longer else ""
            AuditEntry.objects.create(
                at=timezone.now(),
                account=obj,
                by=cast(User, request.user).email,
                action="retention",
                detail=f"{obj.retention_days} days{longer}",
            )

    def has_delete_permission(self, request: HttpRequest, obj: Account | None = None) -> bool:
        # Calls have no foreign key to their account: nothing would forget those of one that is gone.
        return False


class UserCreationForm(AdminUserCreationForm[User]):
    class Meta:
        model = User
        fields = ("email",)


@admin.register(User)
class UserAdmin(BaseUserAdmin[User]):
    add_form = UserCreationForm
    list_display = ("email", "name", "is_active", "is_staff")
    list_filter = ("is_active", "is_staff")
    search_fields = ("email", "name")
    ordering = ("email",)
    fieldsets = (
        (None, {"fields": ("email", "name", "password")}),
        (_("Access"), {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "usable_password", "password1", "password2")}),)
    filter_horizontal = ("groups",)
