import { onClick } from './clicks.ts';
import { claimed, track } from './kernel.ts';
import type { EventOptions } from './payload.ts';

/** A click belongs to a tag on its target or on one of that many elements around it. */
const PARENTS_MAX = 3;

/** The event that an element's classes describe, if they name one. */
function tagOf(element: Element): Parameters<typeof track> | undefined {
  let name = '';
  const revenue = { amount: '', currency: '' };
  const props: Record<string, string> = {};
  for (const className of element.classList || []) {
    const [, kind, key = '', value = ''] =
      /^plausible-(event|revenue)-(.+?)(?:=|--)(.+)$/.exec(className) || [];
    const text = value.replace(/\+/g, ' ');
    if (kind === 'revenue') Object.assign(revenue, { [key]: text });
    else if (key.toLowerCase() === 'name') name = text;
    else if (kind) props[key] = text;
  }
  const options: EventOptions = revenue.amount ? { props, revenue } : { props };
  return name ? [name, options] : undefined;
}

onClick((event, link) => {
  for (const node of event.composedPath().slice(0, PARENTS_MAX + 1) as Element[]) {
    // A tagged form counts when it is submitted, not when something in it is clicked.
    if (node.localName === 'form') return;
    const tag = tagOf(node);
    if (tag) {
      claimed.add(event);
      if (link) tag[1] = { ...tag[1], props: { ...tag[1]?.props, url: link.href } };
      track(...tag);
      return;
    }
  }
});

document.addEventListener(
  'submit',
  (event) => {
    const tag = tagOf(event.target as Element);
    if (tag) {
      claimed.add(event);
      track(...tag);
    }
  },
  true,
);
