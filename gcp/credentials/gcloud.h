/* What gcloud has written into its directory. */
#ifndef GCP_CREDENTIALS_GCLOUD_H
#define GCP_CREDENTIALS_GCLOUD_H

/* ${CLOUDSDK_CONFIG:-~/.config/gcloud}; the caller frees; NULL without a home. */
char *gcloud_directory(void);
/* The project of its active configuration; the caller frees; NULL when there is none. */
char *gcloud_project(void);

#endif
