// The models of consensus and of the log on disk (issue 5, "done when" 2).

import { configurationModel } from './configuration-model.ts'
import { crashImageModel } from './crash-images.ts'
import { logModel } from './log-model.ts'
import type { Model } from './model.ts'
import { progressModel } from './progress-model.ts'
import { quorumModel } from './quorum-model.ts'

export const models: readonly Model[] = [logModel, progressModel, quorumModel, configurationModel, crashImageModel]
