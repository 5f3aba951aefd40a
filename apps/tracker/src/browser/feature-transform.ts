import { filters, settings } from './kernel.ts';

// What a page may do to its own events through `init`, looked up late: `init` may come later still.
filters.push(
  (payload) => {
    const custom = settings.customProperties;
    if (!custom) return payload;
    const props = typeof custom === 'function' ? custom(payload.n) : custom;
    return { ...payload, p: { ...props, ...payload.p } };
  },
  (payload) => (settings.transformRequest ? settings.transformRequest(payload) : payload),
);
