/**
 * What Model My Watershed calls a product year: `<edition>_<year>`, the edition of the National Land Cover Database and the
 * year that it shows. Its land cover of 2011 in the edition of 2011 differs from that in the edition of 2019.
 */
export const PRODUCT_YEARS = ['2019_2019', '2019_2016', '2019_2011', '2019_2006', '2019_2001', '2011_2011'] as const
export type ProductYear = (typeof PRODUCT_YEARS)[number]

export const defaultProductYear: ProductYear = '2019_2019'

export function isProductYear(text: string): text is ProductYear {
  return (PRODUCT_YEARS as readonly string[]).includes(text)
}

/** As its legend says it: `Land Use/Cover 2019 (NLCD19)`. */
export function titleOfProductYear(productYear: ProductYear): string {
  const [edition, year] = productYear.split('_')
  return `Land Use/Cover ${year} (NLCD${edition?.slice(2)})`
}
