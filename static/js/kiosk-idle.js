// @ts-check
/** Notices that nobody is there any more. Pure of DOM. */

// WCAG 2.2.1: at least 20 s to say with one touch that one is still there, at least ten times
const WARN_SECONDS = 20;
const LONGEST = 300000;

/**
 * Counts the time since somebody stirred. `tell` hears every half second how many seconds are left, 0 while it need not
 * be said; `gone` is called once, at the end.
 * @param {number} seconds @param {(left: number) => void} tell @param {() => void} gone
 */
export function watch(seconds, tell, gone) {
  let patience = seconds * 1000;
  let last = Date.now();
  const look = () => {
    const quiet = Date.now() - last;
    if (quiet < 0) last = Date.now(); // the clock was set back
    const left = Math.ceil((patience - quiet) / 1000);
    if (left > 0) {
      tell(left <= WARN_SECONDS ? left : 0);
    } else {
      stop();
      gone();
    }
  };
  const timer = setInterval(look, 500);
  function stop() { clearInterval(timer); }
  return {
    stop,
    look,
    /** Somebody touched something. */
    stir() { last = Date.now(); },
    /** Somebody asked for more time, or does what takes long (a photo): twice as long from now on. */
    more() {
      patience = Math.min(patience * 2, LONGEST);
      last = Date.now();
    },
  };
}
