"""A view that stores an order and starts its workflow."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from django_shop.models import Purchase
from django_shop.workflows import Buy, client


@csrf_exempt
def buy(request: HttpRequest) -> JsonResponse:
    with transaction.atomic():
        purchase = Purchase.objects.create(item=request.POST['item'])
        # Once the row is there for others to see, and not at all if the transaction is rolled back.
        transaction.on_commit(lambda: client().starter(Buy, workflow_id=f'buy-{purchase.pk}')(purchase.pk))
        if request.POST['item'] == 'nothing':
            raise ValueError('there is nothing to buy')
    return JsonResponse({'id': purchase.pk}, status=202)


urlpatterns = [path('purchases/', buy)]
