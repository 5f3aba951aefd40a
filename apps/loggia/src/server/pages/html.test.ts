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
  expect(
    String(
      html`<ul>
          ${['a', 'b'].map((each) => html`<li>${each}</li>`)}
        </ul>
        ${1}`,
    ),
  ).toBe('<ul><li>a</li><li>b</li></ul>1');
});
