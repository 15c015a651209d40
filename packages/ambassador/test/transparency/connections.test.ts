import { checkPrograms } from './check.ts';
import { connectionFamilies } from './families.ts';

checkPrograms('commands of a connection', connectionFamilies.flat());
