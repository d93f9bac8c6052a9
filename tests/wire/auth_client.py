"""auth_client.py FILE: an access token with google-auth, from a credentials file."""
import os, sys
import google.auth, google.auth.external_account, google.auth.iam, google.auth.transport.requests, google.oauth2.credentials

# Some requests go to Google whatever the file says; here, to the servers. What the project is called is not asked.
google.oauth2.credentials._GOOGLE_OAUTH2_TOKEN_ENDPOINT = os.environ["PL_CLOUD_URL"] + "/token"
google.auth.iam._IAM_ENDPOINT = google.auth.iam._IAM_ENDPOINT.replace("https://iamcredentials.googleapis.com", os.environ["PL_CLOUD_URL"])
google.auth.external_account.Credentials.get_project_id = lambda *_, **__: None
credentials, _ = google.auth.load_credentials_from_file(sys.argv[1], scopes=["https://www.googleapis.com/auth/cloud-platform"])
credentials.refresh(google.auth.transport.requests.Request())
print(credentials.token)
