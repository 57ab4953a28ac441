// What a replica is told of its configuration while it lives: which applications can be asked here, and what is set of calls. Each step sees
// one value of both; what is decided stays decided, as it does where two replicas are configured differently for a while.

import type { ApplicationInfo } from '../app/contract.ts'
import type { CallSettings } from '../call/contract.ts'
import type { ApplicationsInput, SettingsInput } from './input.ts'

export class Configured {
  applications: readonly ApplicationInfo[]
  settings: CallSettings

  constructor(applications: readonly ApplicationInfo[] | undefined, settings: CallSettings) {
    this.applications = applications ?? []
    this.settings = settings
  }

  change(input: ApplicationsInput | SettingsInput): void {
    if (input.kind === 'applications') this.applications = input.applications
    else this.settings = input.settings
  }
}
