import { checkPrograms } from './check.ts';
import { dataFamilies, primaryFamilies } from './families.ts';

checkPrograms('data commands', dataFamilies.flat(), primaryFamilies.flat());
