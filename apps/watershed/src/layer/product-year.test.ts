import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isProductYear, PRODUCT_YEARS, titleOfProductYear } from './product-year.ts'

test('a product year is titled by its year and its edition', () => {
  assert.equal(titleOfProductYear('2019_2019'), 'Land Use/Cover 2019 (NLCD19)')
  assert.equal(titleOfProductYear('2019_2001'), 'Land Use/Cover 2001 (NLCD19)')
  assert.equal(titleOfProductYear('2011_2011'), 'Land Use/Cover 2011 (NLCD11)')
})

test('only the product years of Model My Watershed are some', () => {
  assert.ok(PRODUCT_YEARS.every(isProductYear))
  for (const text of ['2019', '2019_2020', 'toString', '']) assert.equal(isProductYear(text), false)
})
