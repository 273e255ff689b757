"""Video as a job."""
