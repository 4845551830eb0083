"""An order and its receipt."""

from django.db import models


class Purchase(models.Model):
    item = models.TextField()
    receipt = models.TextField(default='')

    def __str__(self) -> str:
        return f'{self.item} ({self.receipt or "no receipt yet"})'
