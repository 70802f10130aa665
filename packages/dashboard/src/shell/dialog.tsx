import { type ReactNode, useEffect, useId, useRef } from 'react'

/** A native modal dialog: the browser keeps the focus inside it and gives it back afterwards. */
export function Dialog(props: {
  readonly isOpen: boolean
  readonly onClose: () => void
  readonly title: string
  readonly children: ReactNode
}) {
  const ref = useRef<HTMLDialogElement>(null)
  const titleId = useId()
  useEffect(() => {
    const dialog = ref.current
    if (!dialog || dialog.open === props.isOpen) return
    if (props.isOpen) dialog.showModal()
    else dialog.close()
  }, [props.isOpen])
  return (
    <dialog ref={ref} onClose={props.onClose} aria-labelledby={titleId}>
      <h2 id={titleId}>{props.title}</h2>
      {props.isOpen ? props.children : null}
    </dialog>
  )
}

export function ConfirmDialog(props: {
  readonly isOpen: boolean
  readonly title: string
  readonly children: ReactNode
  readonly confirm: string
  /** The way out; `Keep` when left out. */
  readonly keep?: string
  readonly onConfirm: () => void
  readonly onClose: () => void
}) {
  return (
    <Dialog isOpen={props.isOpen} onClose={props.onClose} title={props.title}>
      {props.children}
      <div className="dialog-actions">
        <button type="button" onClick={props.onClose}>
          {props.keep ?? 'Keep'}
        </button>
        <button
          type="button"
          className="danger"
          onClick={() => {
            props.onClose()
            props.onConfirm()
          }}
        >
          {props.confirm}
        </button>
      </div>
    </Dialog>
  )
}
