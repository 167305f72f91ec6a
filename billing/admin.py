from django.contrib import admin

from billing.models import AccountPriceList, Bundle, PriceList, Rate, VatRate


@admin.register(PriceList)
class PriceListAdmin(admin.ModelAdmin[PriceList]):
    list_display = ("name", "base", "currency", "basis", "decimals", "rounding")
    search_fields = ("name",)


@admin.register(Rate)
class RateAdmin(admin.ModelAdmin[Rate]):
    list_display = (
        "price_list",
        "space",
        "prefix",
        "name",
        "treatment",
        "per_minute",
        "per_call",
        "connection_fee",
        "first_increment",
        "next_increment",
        "valid_from",
        "valid_to",
    )
    list_filter = ("price_list", "space", "treatment")
    search_fields = ("prefix", "name")
    autocomplete_fields = ("price_list",)


@admin.register(AccountPriceList)
class AccountPriceListAdmin(admin.ModelAdmin[AccountPriceList]):
    list_display = ("account", "price_list", "since")
    list_select_related = ("account", "price_list")
    autocomplete_fields = ("account", "price_list")


@admin.register(VatRate)
class VatRateAdmin(admin.ModelAdmin[VatRate]):
    list_display = ("account", "percent", "since")
    list_select_related = ("account",)
    autocomplete_fields = ("account",)


@admin.register(Bundle)
class BundleAdmin(admin.ModelAdmin[Bundle]):
    list_display = ("account", "name", "seconds", "classes", "prefixes", "since", "until")
    list_select_related = ("account",)
    autocomplete_fields = ("account",)
