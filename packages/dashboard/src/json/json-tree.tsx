import type { Json } from '@headrace/wire'
import { useState } from 'react'
import { ScrollRegion } from '../look/scroll-region.tsx'
import { announce } from '../shell/announcer.tsx'
import './json.css'

const SHOWN_AT_FIRST = 50

/** A JSON value that unfolds. Long arrays come in pieces, so that a result of a million numbers does not freeze. */
export function JsonTree(props: { readonly value: Json; readonly label: string; readonly openDepth?: number }) {
  return (
    <div className="json">
      <CopyButton text={() => JSON.stringify(props.value, null, 2)} what={props.label} />
      <ScrollRegion className="json-scroll" label={props.label}>
        <Node value={props.value} depth={0} openDepth={props.openDepth ?? 2} />
      </ScrollRegion>
    </div>
  )
}

function Node(props: {
  readonly name?: string
  readonly value: Json
  readonly depth: number
  readonly openDepth: number
}) {
  const { value } = props
  if (value === null || typeof value !== 'object') {
    return (
      <div className="json-line">
        <Name name={props.name} />
        <Leaf value={value} />
      </div>
    )
  }
  return <Branch {...props} value={value} />
}

function Branch(props: {
  readonly name?: string
  readonly value: readonly Json[] | { readonly [key: string]: Json }
  readonly depth: number
  readonly openDepth: number
}) {
  const isArray = Array.isArray(props.value)
  const entries = Object.entries(props.value)
  const [isOpen, setOpen] = useState(props.depth < props.openDepth && entries.length <= SHOWN_AT_FIRST)
  const [shown, setShown] = useState(SHOWN_AT_FIRST)
  const [opener, closer] = isArray ? ['[', ']'] : ['{', '}']
  if (entries.length === 0) {
    return (
      <div className="json-line">
        <Name name={props.name} />
        {opener}
        {closer}
      </div>
    )
  }
  return (
    <div className="json-branch">
      <button type="button" className="json-line json-fold" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        <svg viewBox="0 0 12 12" aria-hidden="true" data-fold={isOpen ? 'open' : 'closed'}>
          <path d="m4 2 4 4-4 4" />
        </svg>
        <Name name={props.name} />
        {opener}
        {isOpen ? null : <Summary value={props.value} count={entries.length} closer={closer ?? ''} />}
      </button>
      {isOpen ? (
        <div className="json-inside">
          {entries.slice(0, shown).map(([name, value]) => (
            <Node key={name} name={name} value={value} depth={props.depth + 1} openDepth={props.openDepth} />
          ))}
          {entries.length > shown ? (
            <button type="button" className="quiet small" onClick={() => setShown(shown * 4)}>
              Show more of the {(entries.length - shown).toLocaleString()} others
            </button>
          ) : null}
        </div>
      ) : null}
      {isOpen ? <div className="json-line">{closer}</div> : null}
    </div>
  )
}

function Summary(props: { readonly value: object; readonly count: number; readonly closer: string }) {
  const text = Array.isArray(props.value) ? flatText(props.value) : Object.keys(props.value).join(', ')
  return (
    <span className="muted">
      {` ${text.length > 60 ? `${text.slice(0, 60)}…` : text} `}
      {props.closer} <small>{props.count.toLocaleString()}</small>
    </span>
  )
}

/** Numbers are shown while folded, since coordinates are more often recognised than read. */
function flatText(values: readonly Json[]): string {
  return values.slice(0, 8).every((value) => typeof value === 'number') ? values.slice(0, 8).join(', ') : '…'
}

function Name(props: { readonly name: string | undefined }) {
  return props.name === undefined ? null : <span className="json-name">{props.name}: </span>
}

function Leaf(props: { readonly value: null | boolean | number | string }) {
  const kind = props.value === null ? 'null' : typeof props.value
  return <span className={`json-${kind}`}>{JSON.stringify(props.value)}</span>
}

export function CopyButton(props: { readonly text: () => string; readonly what: string; readonly label?: string }) {
  const [isCopied, setCopied] = useState(false)
  const copy = async () => {
    await navigator.clipboard.writeText(props.text())
    setCopied(true)
    announce(`${props.what} copied.`)
    setTimeout(() => setCopied(false), 1500)
  }
  return (
    <button type="button" className="quiet small copy" onClick={copy} aria-label={`Copy ${props.what}`}>
      {isCopied ? 'Copied' : (props.label ?? 'Copy')}
    </button>
  )
}
