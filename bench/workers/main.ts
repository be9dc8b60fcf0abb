import { engineNamed } from '../engines/registry.js';
import { serve } from './serve.js';

// One process a contender; the argument says which engine it is.
serve(engineNamed(process.argv[2]));
