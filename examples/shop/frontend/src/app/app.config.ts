import { provideHttpClient, withInterceptors } from '@angular/common/http';
import { ApplicationConfig, provideBrowserGlobalErrorListeners } from '@angular/core';

import { bearerInterceptor } from './bearer.interceptor';
import { SETTINGS, Settings } from './settings';

export function appConfig(settings: Settings): ApplicationConfig {
  return {
    providers: [
      provideBrowserGlobalErrorListeners(),
      provideHttpClient(withInterceptors([bearerInterceptor])),
      { provide: SETTINGS, useValue: settings },
    ],
  };
}
