-- Run once, when the server's volume is empty. The ledger's own database is POSTGRES_DB.
CREATE DATABASE mlflow ENCODING 'UTF8' TEMPLATE template0;
CREATE DATABASE labelstudio ENCODING 'UTF8' TEMPLATE template0;
