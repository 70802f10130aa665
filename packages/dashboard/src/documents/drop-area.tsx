import { type DragEvent, type ReactNode, useRef, useState } from 'react'

/** Where files are dropped, or chosen: the button is the way of the keyboard. Folders give the files in them. */
export function DropArea(props: { readonly onFiles: (files: readonly File[]) => void; readonly children: ReactNode }) {
  const [isOver, setOver] = useState(false)
  const input = useRef<HTMLInputElement>(null)
  const onDrop = async (event: DragEvent) => {
    event.preventDefault()
    setOver(false)
    props.onFiles(await filesOf(event.dataTransfer))
  }
  return (
    <section
      className="drop-area"
      aria-label="Send documents"
      data-over={isOver}
      onDragOver={(event) => {
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={() => setOver(false)}
      onDrop={onDrop}
    >
      <p className="drop-lead">
        <strong>Drop documents here</strong>, as many as you like, or{' '}
        <button type="button" className="primary" onClick={() => input.current?.click()}>
          Choose files
        </button>
      </p>
      <p className="muted">PDF, PNG, JPEG, TIFF, WebP, DOCX, e-mail and text. They stay on this server.</p>
      <input
        ref={input}
        className="visually-hidden"
        type="file"
        multiple
        tabIndex={-1}
        aria-label="Files to send"
        onChange={(event) => {
          props.onFiles([...(event.target.files ?? [])])
          event.target.value = ''
        }}
      />
      {props.children}
    </section>
  )
}

async function filesOf(dropped: DataTransfer): Promise<readonly File[]> {
  const entries = [...dropped.items].flatMap((item) => item.webkitGetAsEntry() ?? [])
  if (!entries.some((entry) => entry.isDirectory)) return [...dropped.files]
  return (await Promise.all(entries.map(filesIn))).flat()
}

async function filesIn(entry: FileSystemEntry): Promise<readonly File[]> {
  if (entry.isFile) {
    return [await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject))]
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader()
  const found: FileSystemEntry[] = []
  // A reader gives a hundred at a time, and none at the end.
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
    if (some.length === 0) break
    found.push(...some)
  }
  return (await Promise.all(found.map(filesIn))).flat()
}
