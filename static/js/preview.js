// @ts-check
/**
 * Before the survey's own scripts, in a look at a form that is not published: this page keeps nothing in the browser.
 * The scripts then do as where a phone blocks its store: they show every page, and the node takes the end of it.
 */
(() => {
  const blocked = { open() { throw new DOMException('a preview keeps nothing', 'SecurityError'); } };
  Object.defineProperty(window, 'indexedDB', { value: blocked });
  // no worker either: it would keep the page for when there is no signal
  Reflect.deleteProperty(Navigator.prototype, 'serviceWorker');
})();
