import { claimed, settings, track } from './kernel.ts';

// The browser fires this only for a form that passes its own validation.
document.addEventListener(
  'submit',
  (event) => {
    if (settings.formSubmissions && !claimed.has(event)) {
      track('Form: Submission', { props: { path: location.pathname } });
    }
  },
  true,
);
