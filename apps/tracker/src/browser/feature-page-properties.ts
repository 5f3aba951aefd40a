import { element, filters } from './kernel.ts';

const PREFIX = 'event-';

// Read at each event, since pages change the attributes between views.
filters.push((payload) => {
  const props: Record<string, string> = {};
  for (const { name, value } of element.attributes) {
    if (name.startsWith(PREFIX)) props[name.slice(PREFIX.length)] = value;
  }
  return { ...payload, p: { ...props, ...payload.p } };
});
