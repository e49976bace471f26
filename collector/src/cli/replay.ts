/** Placeholder of founder H until founder G's replay command lands: replace freely. */
export async function run(): Promise<number> {
  throw new Error('not there yet');
}
