// What a JSON file may have where Grafana's types have an enum: its values.
import type { AnnotationQuery, Dashboard, DataQuery } from '@grafana/schema';

type Plain<T> = T extends string
  ? string extends T ? string : `${T}`
  : T extends number | boolean | null | undefined ? T
  : T extends (infer U)[] ? Plain<U>[]
  : T extends object ? { [K in keyof T]: Plain<T[K]> }
  : T;

// An annotation's title and query are the data source's own, and in no type here.
type Titled = AnnotationQuery<DataQuery & { expr: string }> & { titleFormat?: string };
type Board = Omit<Dashboard, 'annotations'> & { annotations?: { list?: Titled[] } };

