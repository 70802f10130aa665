import type { HTMLAttributes, ReactNode, Ref } from 'react'

/*
 * The parts of a table whose rows come and go by absolute position, which a <table> cannot do. The grid itself is the one
 * tab stop, and names its current row by `aria-activedescendant`; so its rows and cells need no focus of their own.
 */

type Part = HTMLAttributes<HTMLElement> & { readonly children?: ReactNode }

export function Grid(props: Part & { readonly role: 'grid' | 'treegrid'; readonly ref: Ref<HTMLDivElement> }) {
  // biome-ignore lint/a11y/noNoninteractiveTabindex: its role, grid or treegrid, is interactive.
  return <div tabIndex={0} {...props} />
}

export function GridRows(props: Part & { readonly heightPx: number }) {
  const { heightPx, ...rest } = props
  // biome-ignore lint/a11y/useSemanticElements: see above.
  return <div role="rowgroup" style={{ height: `${heightPx}px` }} {...rest} />
}

export function GridRow(props: Part & { readonly topPx?: number; readonly heightPx?: number }) {
  const { topPx, heightPx, ...rest } = props
  const style = { ...(topPx === undefined ? {} : { transform: `translateY(${topPx}px)` }), height: heightPx }
  // biome-ignore lint/a11y/useSemanticElements lint/a11y/useFocusableInteractive: see above.
  return <div role="row" style={style} {...rest} />
}

export function GridCell(props: Part) {
  // biome-ignore lint/a11y/useSemanticElements lint/a11y/useFocusableInteractive: see above.
  return <span role="gridcell" {...props} />
}

export function GridHead(props: Part) {
  // biome-ignore lint/a11y/useSemanticElements lint/a11y/useFocusableInteractive: see above.
  return <span role="columnheader" {...props} />
}
