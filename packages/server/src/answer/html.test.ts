import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toHtml } from './html.ts'

test('a page shows every field, links as links, and no markup that came from outside', () => {
  const html = toHtml('<Job>', {
    title: '<script>alert(1)</script>',
    tags: ['a', 'b'],
    none: [],
    links: [
      { href: 'http://localhost/jobs?a=1&b="2"', rel: 'self' },
      { href: 'javascript:alert(1)', rel: 'evil' },
    ],
  })
  assert.doesNotMatch(html, /<script>/)
  assert.match(html, /<h1>&#60;Job&#62;<\/h1>/)
  assert.match(html, /<dt>tags<\/dt><dd><ul><li><span>a<\/span><\/li><li><span>b<\/span><\/li><\/ul><\/dd>/)
  assert.match(html, /<a href="http:\/\/localhost\/jobs\?a=1&#38;b=&#34;2&#34;">/)
  assert.doesNotMatch(html, /href="javascript:/)
})
