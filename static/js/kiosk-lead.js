// @ts-check
/** For pages without app.js that could show or take answers: while the tablet is handed round, they lead back to its page. */
try {
  const kiosk = localStorage.getItem('collector-kiosk');
  if (kiosk) location.replace(kiosk);
} catch (error) {
  // a browser that keeps nothing is in no such mode
}
export {};
