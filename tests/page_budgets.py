"""The budgets of a survey's page, in gzip bytes: tests hold them, the bench shows how near they are."""

FIRST_QUESTION_BYTES = 14_000  # page and style: what is needed before the first question can be answered
WHOLE_BYTES = 30_000  # everything that a first visit loads
WORKER_BYTES = 7_000  # more on https: the service worker and what it fetches once the page is ready
RICH_BYTES = 46_000  # the same for a form with repeats in repeats
POST_BYTES = 600  # the body of one answer without files
