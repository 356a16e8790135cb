"""The plan of a form, as the lab knows it. The dataclass stands in collector/form_plan.py: queries hold it too."""

from collector.form_plan import Plan, Quota, plan_content, plan_from

__all__ = ["Plan", "Quota", "plan_content", "plan_from"]
