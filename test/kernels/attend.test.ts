import { testAttention } from './attend-cases.js';
import { describeBinaries } from './support.js';

describeBinaries('attention on tiles', testAttention);
