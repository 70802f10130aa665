import { type ReactNode, useId, useState } from 'react'

/** A place to drop files on, which is a file input as well: the keyboard and who cannot drag choose them there. */
export function FileDrop(props: {
  readonly label: string
  readonly accept: string
  readonly isMultiple?: boolean
  readonly onFiles: (files: readonly File[]) => void
  readonly children?: ReactNode
}) {
  const id = useId()
  const [isOver, setOver] = useState(false)
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is a second way; the input inside is the first.
    <div
      className="file-drop"
      data-over={isOver || undefined}
      onDragOver={(event) => {
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault()
        setOver(false)
        props.onFiles([...event.dataTransfer.files])
      }}
    >
      <label htmlFor={id}>{props.label}</label>
      <input
        id={id}
        type="file"
        accept={props.accept}
        multiple={props.isMultiple ?? false}
        onChange={(event) => {
          props.onFiles([...(event.target.files ?? [])])
          // So that choosing the same file again is a change too.
          event.target.value = ''
        }}
      />
      {props.children}
    </div>
  )
}
