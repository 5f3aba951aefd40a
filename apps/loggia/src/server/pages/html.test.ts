import { expect, it } from 'vitest';
import { html } from './html.ts';

it('what is put into markup cannot become markup', () => {
  const name = `<script>alert("it's")</script> & co`;
  expect(String(html`<b title="${name}">${name}</b>`)).toBe(
    '<b title="&lt;script&gt;alert(&quot;it&#39;s&quot;)&lt;/script&gt; &amp; co">' +
      '&lt;script&gt;alert(&quot;it&#39;s&quot;)&lt;/script&gt; &amp; co</b>',
  );
});

it('markup put into markup stays markup, lists of it too', () => {
  const items = ['a', 'b'].map((each) => html`<li>${each}</li>`);
  const list = String(
    html`<ul>
        ${items}
      </ul>
      ${1}`,
  );
  expect(list.replaceAll(/\s+/g, '')).toBe('<ul><li>a</li><li>b</li></ul>1');
});
