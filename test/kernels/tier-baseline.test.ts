import v8 from 'node:v8';
import { describeTier } from './tiers.js';

v8.setFlagsFromString('--liftoff');
v8.setFlagsFromString('--no-wasm-tier-up');
v8.setFlagsFromString('--no-wasm-dynamic-tiering');
describeTier('baseline');
