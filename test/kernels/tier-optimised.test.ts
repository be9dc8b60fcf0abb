import v8 from 'node:v8';
import { describeTier } from './tiers.js';

v8.setFlagsFromString('--no-liftoff');
describeTier('optimising');
