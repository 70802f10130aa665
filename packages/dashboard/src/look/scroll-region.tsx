import type { HTMLAttributes, Ref } from 'react'

/** A part that scrolls by itself. It takes the focus, so that the keyboard can scroll it, and so it has a name. */
export function ScrollRegion(
  props: HTMLAttributes<HTMLDivElement> & { readonly label: string; readonly ref?: Ref<HTMLDivElement> },
) {
  const { label, ...rest } = props
  // biome-ignore lint/a11y/noNoninteractiveTabindex lint/a11y/useSemanticElements: see above; it is no set of form fields.
  return <div role="group" aria-label={label} tabIndex={0} {...rest} />
}
