import type { DocumentCell, DocumentPage, DocumentTable } from '@headrace/wire'
import { ScrollRegion } from '../look/scroll-region.tsx'
import { Section } from '../shell/section.tsx'

export function PageTables({ page }: { readonly page: DocumentPage }) {
  return page.tables.map((table, index) => (
    <Section key={table.box.join()} title={`Table ${index + 1} on page ${page.number}`}>
      <ScrollRegion label={`Table ${index + 1} on page ${page.number}`} className="table-scroll">
        <table className="read-table">
          <tbody>
            {rowsOf(table).map((cells, row) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a row is its place.
              <tr key={row}>
                {cells.map(({ column, rowSpan, columnSpan, text }) => (
                  <td key={column} rowSpan={rowSpan} colSpan={columnSpan}>
                    {text}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollRegion>
    </Section>
  ))
}

function rowsOf({ rows, cells }: DocumentTable): readonly (readonly DocumentCell[])[] {
  return Array.from({ length: rows }, (_, row) =>
    cells.filter((cell) => cell.row === row).sort((a, b) => a.column - b.column),
  )
}
