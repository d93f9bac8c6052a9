import { bootstrapApplication } from '@angular/platform-browser';

import { App } from './app/app';
import { appConfig } from './app/app.config';
import { loadSettings } from './app/settings';

loadSettings()
  .then((settings) => bootstrapApplication(App, appConfig(settings)))
  .catch((error: unknown) => {
    console.error(error);
    document.body.textContent = 'The shop cannot be started.';
  });
