# Training in a container.  docker build -t omniretail . && docker run -v "$PWD:/work" omniretail train model=recommender/ease
FROM python:3.11-slim
RUN apt-get update && apt-get install -y --no-install-recommends git libgomp1 && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/omniretail
COPY pyproject.toml requirements.lock README.md LICENSE ./
COPY src src
COPY configs configs
RUN pip install --no-cache-dir -c requirements.lock '.[train,neural]'
RUN useradd --create-home trainer
USER trainer
WORKDIR /work
ENTRYPOINT ["python", "-m", "omniretail"]
