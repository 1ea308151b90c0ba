"""The officer's Excel workbook: written from the models, read with sheet, row and column in every error."""

from __future__ import annotations
