import { library } from '@gallop/tsup-config';

export default library();
