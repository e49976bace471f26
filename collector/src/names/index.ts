export { createClassifier } from './classify.ts';
export { CLASSIFY_FACTS } from './config.ts';
export { createNamesFile } from './file.ts';
export { createInventory } from './inventory.ts';
export type { Described, Inventory } from './inventory.ts';
export { createNameSaver } from './saver.ts';
